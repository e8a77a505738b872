const config = require('../config');
const database = require('../database');

function shippingFor(user, total) {
  const rate = config.shipping[user.country] || config.shipping.default;
  return total >= rate.freeFrom ? 0 : rate.price;
}

async function place(user, lines) {
  const total = lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
  return database.one('insert into orders (user_id, lines, total, shipping) values ($1, $2, $3, $4) returning *', [
    user.id,
    JSON.stringify(lines),
    total,
    shippingFor(user, total),
  ]);
}

function find(user, id) {
  return database.one('select * from orders where id = $1 and user_id = $2', [id, user.id]);
}

module.exports = { place, find };
