const nodemailer = require('nodemailer');

const config = require('../config');
const templates = require('./templates');

const transport = nodemailer.createTransport(config.smtpUrl);

async function sendReceipt(user, order) {
  await transport.sendMail({
    to: user.email,
    subject: `Your order ${order.id}`,
    html: templates.fill('receipt', { user, order }),
  });
}

module.exports = { sendReceipt };
