import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Background, background } from '../e2e/commands.ts';

/**
 * A real nginx.
 * @param directory where it has its files; its process id is in `nginx.pid` there
 * @param servers blocks of its `http` section
 * @param user who reads the files that it serves, where root starts it
 * @param within the command line that runs it elsewhere, such as in another network
 */
export function startNginx(
  directory: string,
  servers: string,
  user = 'nobody',
  within: readonly string[] = [],
): Background {
  const file = join(directory, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `${what}_temp_path ${directory}/nginx;`,
  );
  writeFileSync(
    file,
    `daemon off;
     user ${user} nogroup;
     pid ${pidFileOf(directory)};
     error_log stderr warn;
     events {}
     http {
       access_log ${directory}/nginx.access;
       ${paths.join('\n')}
       ${servers}
     }`,
  );
  const [program = '', ...args] = [...within, '/usr/sbin/nginx', '-c', file];
  return background(program, args);
}

export function pidFileOf(directory: string): string {
  return join(directory, 'nginx.pid');
}
