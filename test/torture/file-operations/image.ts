import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export type Made =
  | { readonly type: 'file'; readonly mode: number; readonly data: Buffer }
  | { readonly type: 'directory'; readonly mode: number }
  | { readonly type: 'link'; readonly target: string };

/** Everything below a directory by path; a directory comes before what is in it. */
export type Image = ReadonlyMap<string, Made>;

export function readImage(directory: string): Image {
  const image = new Map<string, Made>();
  const read = (inside: string) => {
    for (const name of readdirSync(join(directory, inside)).sort()) {
      const path = inside === '' ? name : `${inside}/${name}`;
      const full = join(directory, path);
      const stat = lstatSync(full);
      // A socket is gone with its process, and counts for nothing afterwards
      if (stat.isSocket()) continue;
      const mode = stat.mode & 0o7777;
      if (stat.isSymbolicLink()) image.set(path, { type: 'link', target: readlinkSync(full) });
      else if (stat.isDirectory()) {
        image.set(path, { type: 'directory', mode });
        read(path);
      } else image.set(path, { type: 'file', mode, data: readFileSync(full) });
    }
  };
  read('');
  return image;
}

/** Makes a directory hold what an image says, and nothing else. */
export function writeImage(directory: string, image: Image): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700, recursive: true });
  for (const [path, made] of image) {
    const full = join(directory, path);
    if (made.type === 'link') symlinkSync(made.target, full);
    else if (made.type === 'directory') mkdirSync(full);
    else writeFileSync(full, made.data);
  }
  for (const [path, made] of [...image].reverse()) {
    if (made.type !== 'link') chmodSync(join(directory, path), made.mode);
  }
}

export function digestOf(image: Image): string {
  const hash = createHash('sha256');
  for (const [path, made] of [...image].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${path}\0${made.type}\0`);
    if (made.type === 'link') hash.update(made.target);
    else hash.update(String(made.mode));
    if (made.type === 'file') hash.update(made.data);
    hash.update('\0');
  }
  return hash.digest('hex');
}
