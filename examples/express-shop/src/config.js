const fs = require('node:fs');
const path = require('node:path');

// Read once, before the first request: nobody waits for it.
const shipping = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'data', 'shipping.json'), 'utf8'));

module.exports = {
  port: Number(process.env.PORT || 3000),
  databaseUrl: process.env.DATABASE_URL,
  smtpUrl: process.env.SMTP_URL,
  invoiceDir: process.env.INVOICE_DIR || path.join(__dirname, '..', 'data', 'invoices'),
  shipping,
};
