// Preloaded into the peers (`node --expose-gc --require`), so that their memory can be read without garbage: SIGUSR2
// collects it.

process.on("SIGUSR2", () => {
  globalThis.gc();
  globalThis.gc();
});
