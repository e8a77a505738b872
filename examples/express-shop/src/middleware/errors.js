function notFound(req, res) {
  res.status(404).json({ error: 'no such page' });
}

function answer(err, req, res, next) {
  console.error(err);
  if (res.headersSent) {
    return next(err);
  }
  res.status(err.status || 500).json({ error: 'the shop is having trouble' });
}

module.exports = { notFound, answer };
