// What libraries load and our programs never run: an esbuild plugin leaves it out of the bundles.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Modules by what they are required as, in files whose path matches. Bodies, files and query strings are read by our own code, and
 * the messages of gRPC are generated. Lines of the log go to a stream, and are made by `printf`; the transports and formats that
 * winston has besides are loaded when they are asked for.
 */
const unused = [
  { required: /^(body-parser|qs|send|serve-static|@grpc\/proto-loader)$/, by: /./ },
  { required: /^\.\/(console|file|http)$/, by: /winston\/transports\/index\.js$/ },
  {
    required:
      /^\.\/(align|cli|errors|json|label|logstash|metadata|ms|pad-levels|pretty-print|simple|splat|timestamp|uncolorize)$/,
    by: /logform\/index\.js$/,
  },
];

/**
 * Modules in whose place others do: what winston says of itself, the format of a logger that none was given, and a copy of the
 * streams of an old Node.
 */
const replaced = {
  'logform/json': 'silent.cjs',
  '@dabh/diagnostics': 'silent.cjs',
  'readable-stream': 'streams.cjs',
  'readable-stream/lib/_stream_writable.js': 'writable.cjs',
};

/** Types that a web interface has; mime-db knows 2500. */
const webFiles = [
  ...['html', 'js', 'css', 'json', 'map', 'txt', 'xml', 'md', 'csv', 'pdf', 'wasm', 'webmanifest'],
  ...['svg', 'png', 'jpg', 'gif', 'webp', 'avif', 'ico', 'woff', 'woff2', 'ttf', 'otf', 'eot'],
  ...['mp3', 'mp4', 'webm', 'zip', 'gz', 'bin', 'pem', 'crt'],
];

export function withoutUnusedParts(root) {
  const stub = (name) => ({ path: join(root, 'stubs', name) });
  return {
    name: 'without-unused-parts',
    setup(build) {
      for (const { required, by } of unused) {
        build.onResolve({ filter: required }, ({ importer }) =>
          by.test(importer) ? stub('unused.cjs') : undefined,
        );
      }
      for (const [name, instead] of Object.entries(replaced)) {
        build.onResolve({ filter: new RegExp(`^${name}$`) }, () => stub(instead));
      }
      build.onLoad({ filter: /mime-db\/db\.json$/ }, async ({ path }) => {
        const types = Object.entries(JSON.parse(await readFile(path, 'utf8')));
        const kept = types.filter(([, { extensions = [] }]) =>
          extensions.some((one) => webFiles.includes(one)),
        );
        return { contents: JSON.stringify(Object.fromEntries(kept)), loader: 'json' };
      });
    },
  };
}
