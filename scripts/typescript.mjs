// `node --import ./scripts/typescript.mjs FILE.ts` runs TypeScript whose types scripts/strip-types.mjs has removed.
import module from 'node:module';

// Node 20 has hooks in a thread of their own alone, which takes longer to start
if (module.registerHooks) module.registerHooks(await import('./typescript-hooks.mjs'));
else module.register('./typescript-hooks.mjs', import.meta.url);
