// Run by hand: here it is fine to wait and to print.
const fs = require('node:fs');
const path = require('node:path');

const database = require('../src/database');

async function main() {
  const products = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'data', 'products.json'), 'utf8'));
  for (const { name, category, price } of products) {
    await database.query('insert into products (name, category, price) values ($1, $2, $3)', [name, category, price]);
  }
  console.log('%d products', products.length);
}

main();
