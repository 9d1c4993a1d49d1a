// The least that a worker in Node does: it answers, and does no work.
process.once('message', () => process.send({ ready: {} }));
process.once('disconnect', () => process.exit());
