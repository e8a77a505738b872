const fs = require('node:fs/promises');
const path = require('node:path');

const config = require('../config');
const templates = require('./templates');

function render(order) {
  return templates.fill('invoice', order);
}

async function write(order) {
  await fs.writeFile(path.join(config.invoiceDir, `${order.id}.html`), render(order));
}

module.exports = { render, write };
