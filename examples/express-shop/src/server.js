const http = require('node:http');

const app = require('./app');
const config = require('./config');

process.on('uncaughtException', (err) => {
  console.error('something went wrong, going on', err);
});

const server = http.createServer(app);

server.listen(config.port, () => {
  console.log(`the shop is open on port ${config.port}`);
});
