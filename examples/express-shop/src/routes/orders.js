const express = require('express');

const session = require('../middleware/session');
const invoices = require('../services/invoices');
const mailer = require('../services/mailer');
const orders = require('../services/orders');

const router = express.Router();

async function place(req, res) {
  const order = await orders.place(req.user, req.body.lines);
  await invoices.write(order);
  mailer.sendReceipt(req.user, order);
  res.status(201).json(order);
}

async function show(req, res) {
  const order = await orders.find(req.user, req.params.id);
  res.json(order);
}

router.use(session.required);
router.post('/', place);
router.get('/:id', show);

module.exports = router;
