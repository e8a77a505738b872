const crypto = require('node:crypto');

const database = require('../database');

function hash(token) {
  return crypto.pbkdf2Sync(token, 'session', 100000, 32, 'sha256').toString('hex');
}

async function load(req, res, next) {
  const token = req.get('authorization');
  if (token) {
    req.user = await database.one('select * from users where session = $1', [hash(token)]);
  }
  next();
}

function required(req, res, next) {
  if (!req.user) {
    return res.status(401).json({ error: 'please sign in' });
  }
  next();
}

module.exports = { load, required };
