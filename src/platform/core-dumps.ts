import { writeFileSync } from 'node:fs';

/**
 * Keeps the memory of this program and of those that it starts, where private keys are, out of core dumps
 * (core(5), coredump_filter). Units set LimitCORE, too; this is for programs started in other ways.
 */
export function keepMemoryOutOfCoreDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // Some kernels are built without dumps
  }
}
