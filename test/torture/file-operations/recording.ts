import { lstatSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Image, Made } from './image.ts';

/** An object of the file system, whatever names it has; the number is the harness's own. */
export type Node = number;

/** What a program did, in the terms of a file system: objects, and the names that directories give them. */
export type Operation =
  | { readonly kind: 'make'; readonly node: Node; readonly made: Made }
  | { readonly kind: 'write'; readonly node: Node; readonly at: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly node: Node; readonly length: number }
  | { readonly kind: 'mode'; readonly node: Node; readonly mode: number }
  | { readonly kind: 'sync'; readonly node: Node }
  /** Changes of names in one directory that come about together. */
  | { readonly kind: 'names'; readonly directory: Node; readonly names: readonly Name[] }
  | { readonly kind: 'mark'; readonly text: string };

export interface Name {
  readonly name: string;
  /** `undefined` takes the name away. */
  readonly node: Node | undefined;
}

/** A directory as it was, and what was then done below it. */
export interface Recording {
  readonly root: Node;
  readonly operations: readonly Operation[];
  /** How many of the operations were there before anything was recorded. */
  readonly first: number;
}

/**
 * Reads the log of the library.
 * @param image of the directory before; @param inodes of its files and directories
 */
export function readRecording(
  directory: string,
  image: Image,
  inodes: ReadonlyMap<string, string>,
  log: string,
): Recording {
  const operations: Operation[] = [];
  const nodeOfInode = new Map<string, Node>();
  const entries = new Map<Node, Map<string, Node>>();
  let newest = 0;

  const make = (made: Made, inode?: string): Node => {
    newest += 1;
    if (inode !== undefined) nodeOfInode.set(inode, newest);
    if (made.type === 'directory') entries.set(newest, new Map());
    operations.push({ kind: 'make', node: newest, made });
    return newest;
  };
  const name = (parent: Node, names: readonly Name[]) => {
    const list = entriesOf(parent);
    for (const one of names) {
      if (one.node === undefined) list.delete(one.name);
      else list.set(one.name, one.node);
    }
    operations.push({ kind: 'names', directory: parent, names });
  };
  const entriesOf = (parent: Node) => known(entries.get(parent), 'a directory');
  const byInode = (inode = '') => known(nodeOfInode.get(inode), `inode ${inode}`);
  const root = make({ type: 'directory', mode: 0o700 }, inodes.get(''));
  const find = (path: string): Node | undefined => {
    let node: Node | undefined = root;
    const inside = path
      .slice(directory.length)
      .split('/')
      .filter((part) => part !== '');
    for (const part of inside) node = node && entries.get(node)?.get(part);
    return node;
  };
  const parentOf = (path: string) => known(find(dirname(path)), dirname(path));
  const put = (path: string, made: Made, inode?: string) => {
    name(parentOf(path), [{ name: basename(path), node: make(made, inode) }]);
  };

  for (const [path, entry] of image) put(`${directory}/${path}`, entry, inodes.get(path));
  const first = operations.length;
  for (const line of log.split('\n').filter((text) => text !== '')) {
    const [kind, a = '', b = '', c = ''] = line.split('\t');
    if (kind === 'mark') operations.push({ kind, text: a });
    else if (kind === 'create') {
      put(a, { type: 'file', mode: Number.parseInt(c, 8), data: Buffer.alloc(0) }, b);
    } else if (kind === 'mkdir') put(a, { type: 'directory', mode: Number.parseInt(c, 8) }, b);
    else if (kind === 'symlink') put(b, { type: 'link', target: a });
    else if (kind === 'write') {
      operations.push({ kind, node: byInode(a), at: Number(b), data: Buffer.from(c, 'hex') });
    } else if (kind === 'truncate') {
      operations.push({ kind, node: byInode(a), length: Number(b) });
    } else if (kind === 'mode') {
      operations.push({ kind, node: byInode(a), mode: Number.parseInt(b, 8) });
    } else if (kind === 'sync') operations.push({ kind, node: byInode(a) });
    else if (kind === 'unlink' || kind === 'rmdir') {
      name(parentOf(a), [{ name: basename(a), node: undefined }]);
    } else if (kind === 'link') {
      name(parentOf(b), [{ name: basename(b), node: known(find(a), a) }]);
    } else if (kind === 'rename') {
      const node = known(find(a), a);
      const [from, to] = [parentOf(a), parentOf(b)];
      const gone = { name: basename(a), node: undefined };
      const come = { name: basename(b), node };
      if (from === to) name(from, [gone, come]);
      else {
        // Each directory keeps what it was told, and a careful program relies on no more than that
        name(to, [come]);
        name(from, [gone]);
      }
    } else throw new Error(`the log has a line ${kind}`);
  }
  return { root, operations, first };
}

/** Inodes of everything below a directory by path; the directory itself is the empty path. */
export function inodesOf(directory: string, image: Image): ReadonlyMap<string, string> {
  const inode = (path: string) => String(lstatSync(`${directory}/${path}`, { bigint: true }).ino);
  return new Map(['', ...image.keys()].map((path) => [path, inode(path)]));
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the recording knows nothing of ${what}`);
  return value;
}
