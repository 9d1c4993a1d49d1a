import { signatureAlgorithms } from '../../manager/signing/signature-algorithms.ts';
import { csrArguments } from '../certs/certs-interfaces.ts';
import { type InterfaceSpec, signatureOf } from '../server/interface.ts';
import { endpointsName, endpointsRoot } from './paths.ts';

const prefix = 'xyz.openbmc_project.Certs.Extension';

const endpoint = { Type: 's', Id: 's' } as const;
const replacement = { Replacement: 's' } as const;

export const endpointInterface = {
  name: `${prefix}.Endpoint`,
  about:
    'On the manager object of an endpoint of run time: its id, the services that read from it, and when what it has was put ' +
    'there, in nanoseconds since 1970 (0 where it has nothing).',
  methods: {},
  properties: { Id: 's', Services: 'as', Modified: 't' },
  constant: ['Id'],
} as const satisfies InterfaceSpec;

export const endpointsInterface = {
  name: `${prefix}.Endpoints`,
  about:
    `Of the endpoints that come and go at run time: ${endpointsName}, ${endpointsRoot}. Each is an object ` +
    '`<root>/<type>/<id>` with all interfaces of a configured endpoint, and is there after a restart, too; the id is ' +
    '1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-` without a leading dot, escaped in the path as by ' +
    'sd_bus_path_encode(3). None gets a self-signed certificate. A chain that comes without its intermediates is completed by the ' +
    'certificates of all authorities there, and of those that are staged with it. Callers are root, the user of the manager, and the ' +
    'users and groups that `runTimeEndpoints.access` of the [configuration](configuration.md) names, each for the endpoints there.\n\n' +
    '`Stage` finds a replacement of any number of endpoints good and keeps others out of them; a part is the type, the id, ' +
    'whether the endpoint comes with it, the content with its format and password, and the id of the pending key that the ' +
    'certificate must be for (empty for any). The format `nothing` takes all certificates away, and `removal` the endpoint with its ' +
    'pending keys, too. `Detach`, `Activate`, `Commit` and `Rollback` are as in ' +
    '`Certs.Extension.Replacement`. `Deadline` answers with the state (`Staged`, `Active`) and when it is rolled back, in ' +
    'seconds since 1970; `Extend` has that time begin anew. An endpoint that came with a replacement which is rolled back, ' +
    'also by a crash, is not there.\n\n' +
    '`Generate`, `Outstanding` and `Discard` are as in `Certs.Extension.Request`, also for an endpoint that is not there ' +
    'yet; `Generate` answers with the id of the pending key and the PEM of the CSR. `Sign` signs with the pending key of ' +
    `that id, or with the key in service where it is empty. Algorithms are ${signatureAlgorithms.join(', ')}: a digest ` +
    'with RSA in PKCS #1 v1.5 or with ECDSA, `-pss` with RSA-PSS and a salt as long as the digest, `none` with Ed25519. ' +
    'Data is one SEQUENCE in DER, see [security.md](security.md).\n\n' +
    '`Bind` has a service of the configuration read what the endpoint has, from the file of the service, which changes in ' +
    'the same transaction; `Unbind` goes back to what the configuration says. `Bindings` are the service, the type and the ' +
    'id, and `configuration` or `run time`; `Services` are all that can be bound.',
  methods: {
    Add: { in: endpoint, out: { Path: 'o' }, privileged: true },
    Remove: { in: { Path: 'o' }, out: {}, privileged: true },
    Stage: {
      in: { Parts: 'a(ssbaysss)', Seconds: 'u' },
      out: { Replacement: 's' },
      privileged: true,
    },
    Detach: { in: replacement, out: {}, privileged: true },
    Activate: { in: { ...replacement, Seconds: 'u' }, out: {}, privileged: true },
    Commit: { in: replacement, out: {}, privileged: true },
    Rollback: { in: replacement, out: {}, privileged: true },
    Extend: { in: { ...replacement, Seconds: 'u' }, out: {}, privileged: true },
    Deadline: { in: replacement, out: { Deadline: '(st)' }, privileged: true, reads: true },
    Generate: { in: { ...endpoint, ...csrArguments }, out: { Request: '(ss)' }, privileged: true },
    Outstanding: { in: endpoint, out: { Requests: 'a(sts)' }, privileged: true, reads: true },
    Discard: { in: { ...endpoint, Request: 's' }, out: {}, privileged: true },
    Sign: {
      in: { ...endpoint, Request: 's', Algorithm: 's', Data: 'ay' },
      out: { Signature: 'ay' },
      privileged: true,
    },
    Bind: { in: { Service: 's', ...endpoint }, out: {}, privileged: true },
    Unbind: { in: { Service: 's' }, out: {}, privileged: true },
  },
  properties: { Bindings: 'a(ssss)', Services: 'as' },
  constant: ['Services'],
} as const satisfies InterfaceSpec;

/** Of the calls that may be as large as an upload. */
export const stagingSignature = signatureOf(endpointsInterface.methods.Stage.in);
/** Of the calls that may be as large as the data that is signed. */
export const signingSignature = signatureOf(endpointsInterface.methods.Sign.in);
