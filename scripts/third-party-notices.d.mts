import type { Plugin } from 'esbuild';

export function thirdPartyNotices(root: string, file: string): Plugin;
