import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { collectionsOf } from '../../../src/redfish/certificates/collections.ts';
import { certificateView } from '../../../src/redfish/certificates/view.ts';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { parsePem } from '../../../src/x509/pem.ts';

import { endpoints } from '../service.ts';

const parts = {
  certificateLinks: () => ({ issuer: undefined, subjects: [] }),
  now: Date.now,
  expiryThresholds: [2],
};

describe('the Certificate resource', () => {
  const directory = mkdtempSync(join(tmpdir(), 'view-'));
  after(() => rmSync(directory, { recursive: true }));

  const view = (subject: string, ...more: string[]) => {
    const pem = execFileSync('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-utf8',
      ],
      ...['-keyout', join(directory, 'key.pem'), '-days', '5', '-subj', subject, ...more],
    ]);
    const [block] = parsePem(pem.toString());
    const collection = collectionsOf('bmc', endpoints).find(
      ({ endpoint }) => endpoint.type === 'server',
    );
    assert.ok(block && collection);
    return certificateView(parts, collection, {
      id: '1',
      certificate: readCertificate(block.der),
      chain: [],
    });
  };

  it('has every member of a name, with commas, plus signs and UTF-8 as they are', () => {
    const subject =
      '/C=CH/ST=Zürich/L=a,b/O=Acme, Inc. \\+ Sons/OU=one/OU=two/CN=x=y/emailAddress=a@b.c';
    const { Subject } = view(subject);
    assert.deepEqual(Subject, {
      Country: 'CH',
      State: 'Zürich',
      City: 'a,b',
      Organization: 'Acme, Inc. + Sons',
      OrganizationalUnit: 'one',
      AdditionalOrganizationalUnits: ['two'],
      CommonName: 'x=y',
      Email: 'a@b.c',
      DisplayString:
        'C=CH,ST=Zürich,L=a\\,b,O=Acme\\, Inc. \\+ Sons,OU=one,OU=two,CN=x=y,emailAddress=a@b.c',
    });
  });

  it('keeps every attribute of a multi-valued RDN', () => {
    const { Subject } = view('/O=Acme+CN=one', '-multivalue-rdn');
    assert.equal(Subject.CommonName, 'one');
    assert.equal(Subject.Organization, 'Acme');
  });

  it('puts domain components and alternative names where the schema has them', () => {
    const { Subject, Issuer } = view(
      '/DC=com/DC=example/CN=bmc',
      ...['-addext', 'subjectAltName=DNS:bmc.example.com,IP:192.0.2.1,IP:2001:db8::1'],
    );
    assert.deepEqual(Subject.DomainComponents, ['com', 'example']);
    assert.deepEqual(Subject.AlternativeNames, ['bmc.example.com', '192.0.2.1', '2001:db8::1']);
    assert.equal(Issuer.AlternativeNames, undefined);
  });

  it('writes numbers as pairs and dates with their offset', () => {
    const certificate = view('/CN=x', '-set_serial', '0xABC');
    assert.equal(certificate.SerialNumber, '0A:BC');
    assert.match(certificate.Fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    assert.match(certificate.ValidNotAfter, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
    assert.equal(certificate.SignatureAlgorithm, 'ecdsa-with-SHA256');
  });
});
