const express = require('express');

const session = require('../middleware/session');
const invoices = require('../services/invoices');

const router = express.Router();

router.get('/:id', session.required, (req, res) => {
  const html = invoices.render({ id: req.params.id, user: req.user });
  res.type('html').send(html);
});

module.exports = router;
