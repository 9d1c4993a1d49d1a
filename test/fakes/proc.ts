import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What proc(5) tells of a process; everything is empty for a process that has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** The processes of a process and of its descendants, with itself. */
export function familyOf(pid: number): readonly number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(familyOf)];
}

export function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** Whether a process runs its own program: between fork and exec it looks like its parent. */
export function hasBegun(pid: number): boolean {
  const parent = /^PPid:\s*(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1];
  return commandOf(pid) !== commandOf(Number(parent));
}

/** Whether a signal would not end a process: it is caught, blocked or ignored. */
export function survives(pid: number, signal: number): boolean {
  const status = read(`/proc/${pid}/status`);
  return ['SigBlk', 'SigCgt', 'SigIgn'].some((set) => {
    const mask = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
    return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
  });
}

/** The TCP ports on which a process listens. */
export function listeningPorts(pid: number): readonly number[] {
  const inodes = new Set(
    descriptorsOf(pid).map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1]),
  );
  const rows = ['tcp', 'tcp6'].flatMap((name) => read(`/proc/${pid}/net/${name}`).split('\n'));
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode))
    .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16));
}

function descriptorsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`));
  } catch {
    return [];
  }
}
