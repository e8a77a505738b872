const { Pool } = require('pg');

const config = require('./config');

const pool = new Pool({ connectionString: config.databaseUrl });

async function query(text, values) {
  const { rows } = await pool.query(text, values);
  return rows;
}

async function one(text, values) {
  const rows = await query(text, values);
  return rows[0];
}

module.exports = { query, one };
