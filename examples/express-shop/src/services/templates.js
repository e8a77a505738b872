const fs = require('node:fs');
const path = require('node:path');

const mustache = require('mustache');

const directory = path.join(__dirname, '..', '..', 'data', 'templates');

function load(name) {
  return fs.readFileSync(path.join(directory, `${name}.mustache`), 'utf8');
}

function fill(name, view) {
  return mustache.render(load(name), view);
}

module.exports = { fill };
