import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

type Operations = Pick<typeof promises, 'link' | 'open' | 'rename' | 'rm'>;

/**
 * Has an operation of the file system of this process answer as `make` says, for no disk here fails on demand.
 * @returns brings back the real one
 */
export function onDisk<Name extends keyof Operations>(
  name: Name,
  make: (real: Operations[Name]) => Operations[Name],
): () => void {
  const operations: Operations = promises;
  const real = operations[name];
  operations[name] = make(real);
  syncBuiltinESMExports();
  return () => {
    operations[name] = real;
    syncBuiltinESMExports();
  };
}

export function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: of the test`), { code });
}

/** Has nothing take the place of one path. @returns brings back the real disk */
export function nothingReplaces(path: string): () => void {
  return onDisk('rename', (real) => async (from, to) => {
    if (to === path) throw diskError('EIO');
    await real(from, to);
  });
}

/** Has every call of an operation fail. @returns brings back the real one */
export function failsOnDisk(name: 'link' | 'readdir' | 'readFile', code: string): () => void {
  const real: unknown = Reflect.get(promises, name);
  Reflect.set(promises, name, () => Promise.reject(diskError(code)));
  syncBuiltinESMExports();
  return () => {
    Reflect.set(promises, name, real);
    syncBuiltinESMExports();
  };
}
