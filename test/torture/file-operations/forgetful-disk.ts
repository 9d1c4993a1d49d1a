import { digestOf, type Image, type Made } from './image.ts';
import type { Name, Node, Operation, Recording } from './recording.ts';

/** What a disk may hold after the power went away. */
export interface Remains {
  /** How many operations had been done. */
  readonly after: number;
  /** What was forgotten, for the message of a test that fails. */
  readonly how: string;
  readonly image: Image;
}

interface NameChange {
  readonly directory: Node;
  readonly names: readonly Name[];
  isSynced: boolean;
}

/** A file: what was written, and how much of that a sync has made last. */
interface Content {
  mode: number;
  data: Buffer;
  synced: { readonly mode: number; readonly data: Buffer };
}

/** How much of what was not synced is there. */
type Data = 'all' | 'half' | 'none';

/**
 * Every state in which a disk that forgets may be found when the power goes after a number of operations:
 * with all of it (as after a kill); with nothing but what was synced; with names whose files are empty or
 * half written; with names up to one of them; and without any one of them.
 */
export function remainsAfter(recording: Recording, after: number): Remains[] {
  const { changes, contents, made } = replay(recording, after);
  const pending = changes.filter(({ isSynced }) => !isSynced);
  const image = (lost: (change: NameChange) => boolean, data: Data) =>
    imageOf(
      recording.root,
      changes.filter((change) => !lost(change)),
      contents,
      made,
      data,
    );
  const all: Remains[] = [];
  const seen = new Set<string>();
  const add = (how: string, lost: (change: NameChange) => boolean, data: Data) => {
    const found = image(lost, data);
    const digest = digestOf(found);
    if (!seen.has(digest)) all.push({ after, how, image: found });
    seen.add(digest);
  };
  add('nothing forgotten', () => false, 'all');
  add('all that was not synced forgotten', (change) => !change.isSynced, 'none');
  add('names without data', () => false, 'none');
  add('names with half of their data', () => false, 'half');
  for (let kept = 1; kept < pending.length; kept += 1) {
    const late = new Set(pending.slice(kept));
    add(`${kept} of ${pending.length} names kept`, (change) => late.has(change), 'none');
  }
  for (const [at, one] of pending.entries()) {
    add(`name ${at + 1} of ${pending.length} forgotten`, (change) => change === one, 'all');
  }
  return all;
}

/** The numbers of operations after which a cut can find another disk than before. */
export function cutsOf({ operations, first }: Recording): number[] {
  const cuts: number[] = [];
  for (let after = first; after <= operations.length; after += 1) cuts.push(after);
  return cuts;
}

function replay({ operations, first }: Recording, after: number) {
  const changes: NameChange[] = [];
  const contents = new Map<Node, Content>();
  const made = new Map<Node, Made>();
  const done = (one: Operation) => {
    if (one.kind === 'names') changes.push({ ...one, isSynced: false });
    if (one.kind === 'make') {
      made.set(one.node, one.made);
      if (one.made.type === 'link') return;
      const data = one.made.type === 'file' ? one.made.data : Buffer.alloc(0);
      // The mode that it is made with is there as soon as its name is
      const { mode } = one.made;
      contents.set(one.node, { mode, data, synced: { mode, data: Buffer.alloc(0) } });
    }
    if (!('node' in one)) return;
    const content = contents.get(one.node);
    if (!content) return;
    if (one.kind === 'mode') content.mode = one.mode;
    if (one.kind === 'write') {
      const end = Math.max(content.data.length, one.at + one.data.length);
      const data = Buffer.concat([content.data], end);
      one.data.copy(data, one.at);
      content.data = data;
    }
    if (one.kind === 'truncate') content.data = Buffer.concat([content.data], one.length);
    if (one.kind === 'sync') syncNode(one.node);
  };
  const syncNode = (node: Node) => {
    const content = contents.get(node);
    if (content) content.synced = { mode: content.mode, data: content.data };
    for (const change of changes) if (change.directory === node) change.isSynced = true;
  };
  for (const one of operations.slice(0, first)) done(one);
  for (const node of made.keys()) syncNode(node);
  for (const one of operations.slice(first, after)) done(one);
  return { changes, contents, made };
}

function imageOf(
  root: Node,
  changes: readonly NameChange[],
  contents: ReadonlyMap<Node, Content>,
  made: ReadonlyMap<Node, Made>,
  data: Data,
): Image {
  const entries = new Map<Node, Map<string, Node>>();
  for (const { directory, names } of changes) {
    const list = entries.get(directory) ?? new Map<string, Node>();
    entries.set(directory, list);
    for (const { name, node } of names) {
      list.delete(name);
      if (node !== undefined) list.set(name, node);
    }
  }
  const image = new Map<string, Made>();
  const walk = (directory: Node, prefix: string) => {
    for (const [name, node] of [...(entries.get(directory) ?? [])].sort(byName)) {
      const object = made.get(node);
      if (!object) throw new Error(`nothing was ever made of ${name}`);
      image.set(prefix + name, remainsOf(object, contents.get(node), data));
      if (object.type === 'directory') walk(node, `${prefix}${name}/`);
    }
  };
  walk(root, '');
  return image;
}

function byName([a]: readonly [string, Node], [b]: readonly [string, Node]): number {
  return a < b ? -1 : 1;
}

function remainsOf(object: Made, content: Content | undefined, data: Data): Made {
  if (object.type === 'link' || !content) return object;
  const mode = data === 'all' ? content.mode : content.synced.mode;
  if (object.type === 'directory') return { ...object, mode };
  if (data === 'all') return { ...object, mode, data: content.data };
  const isSynced = content.data.equals(content.synced.data);
  const half = content.data.subarray(0, Math.floor(content.data.length / 2));
  return { ...object, mode, data: data === 'half' && !isSynced ? half : content.synced.data };
}
