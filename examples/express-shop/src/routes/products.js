const express = require('express');

const catalogue = require('../services/catalogue');

const router = express.Router();

router.get('/', async (req, res) => {
  const products = await catalogue.list(req.query.category);
  console.log('listed %d products', products.length);
  res.json(products);
});

router
  .route('/:id')
  .get(async (req, res, next) => {
    try {
      const product = await catalogue.find(req.params.id);
      if (!product) {
        return res.status(404).json({ error: 'no such product' });
      }
      res.json(product);
    } catch (err) {
      next(err);
    }
  })
  .put((req, res) => {
    catalogue.update(req.params.id, req.body).then((product) => {
      res.json(product);
    });
  });

module.exports = router;
