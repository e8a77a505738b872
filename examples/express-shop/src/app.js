const express = require('express');

const errors = require('./middleware/errors');
const session = require('./middleware/session');
const health = require('./routes/health');
const invoices = require('./routes/invoices');
const orders = require('./routes/orders');
const products = require('./routes/products');

const app = express();

app.use(express.json());
app.use(session.load);

app.use('/health', health);
app.use('/products', products);
app.use('/orders', orders);
app.use('/invoices', invoices);

app.use(errors.notFound);
app.use(errors.answer);

module.exports = app;
