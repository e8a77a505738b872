const database = require('../database');

function list(category) {
  if (category) {
    return database.query('select * from products where category = $1', [category]);
  }
  return database.query('select * from products');
}

function find(id) {
  return database.one('select * from products where id = $1', [id]);
}

async function update(id, changes) {
  return database.one('update products set name = $2, price = $3 where id = $1 returning *', [
    id,
    changes.name,
    changes.price,
  ]);
}

module.exports = { list, find, update };
