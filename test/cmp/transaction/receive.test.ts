import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EnrolmentFault } from '../../../src/cmp/enrolment-fault.ts';
import type { PkiBody } from '../../../src/cmp/messages/body.ts';
import type { ReceivedMessage } from '../../../src/cmp/messages/pki-message.ts';
import { decodeMessage } from '../../../src/cmp/messages/pki-message.ts';
import { followUp } from '../../../src/cmp/transaction/draft.ts';
import { type Reception, receive } from '../../../src/cmp/transaction/receive.ts';
import {
  type OpenTransaction,
  openTransaction,
  type Transaction,
} from '../../../src/cmp/transaction/transaction.ts';
import { capture } from '../captures.ts';

const name = Buffer.from('a4023000', 'hex');
const issued = decodeMessage(capture('3.0.22/ir-pbm/02-rsp.der')).body;
const certificate = issued.kind === 'ip' ? issued.value : undefined;

/** Nonces that count up, so that none comes twice. */
function counter() {
  let count = 0;
  return (bytes: number) => {
    count += 1;
    const nonce = Buffer.alloc(bytes);
    nonce.writeUInt32BE(count);
    return nonce;
  };
}

/** What a CA may do next. */
const moves = [
  'issue',
  'issue-implicitly',
  'wait',
  'poll',
  'error-waiting',
  'confirm',
  'already-confirmed',
  'reject',
  'error',
  'empty',
  'two',
] as const;
const faults = [
  'none',
  'old-nonce',
  'wait-nonce',
  'other-id',
  'replay',
  'unprotected',
  'pvno',
] as const;

interface Move {
  readonly move: (typeof moves)[number];
  readonly fault: (typeof faults)[number];
}

const anyMove: fc.Arbitrary<Move> = fc.record({
  move: fc.constantFrom(...moves),
  fault: fc.oneof(
    { weight: 4, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...faults) },
  ),
});

function bodyOf(move: Move['move']): PkiBody {
  const response = certificate?.response ?? [];
  const answer = (status: number): PkiBody => ({
    kind: 'ip',
    value: { response: [{ certReqId: 0, status: { status } }] },
  });
  const error = (status: number, failInfo?: Buffer): PkiBody => ({
    kind: 'error',
    value: {
      pkiStatusInfo: { status, failInfo: failInfo && { bytes: failInfo, unused: 0 } },
    },
  });
  switch (move) {
    case 'issue':
    case 'issue-implicitly':
      return { kind: 'ip', value: { response } };
    case 'two':
      return { kind: 'ip', value: { response: [...response, ...response] } };
    case 'wait':
      return answer(3);
    case 'empty':
      return answer(0);
    case 'reject':
      return answer(2);
    case 'poll':
      return { kind: 'pollRep', value: [{ certReqId: 0, checkAfter: 5 }] };
    case 'error-waiting':
      return error(3);
    case 'error':
      return error(2);
    case 'already-confirmed':
      return error(2, Buffer.from([0, 0x10]));
    case 'confirm':
      return { kind: 'pkiconf', value: null };
  }
}

/** A CA that does as it is told; what it answers with faults must never be taken for an answer. */
function scriptedCa() {
  const random = counter();
  return (transaction: OpenTransaction, { move, fault }: Move): ReceivedMessage => {
    const fresh = Buffer.concat([Buffer.alloc(15, 0xca), random(4)]);
    const senderNonce = fault === 'replay' ? (transaction.seenNonces.at(-1) ?? fresh) : fresh;
    const recipNonce =
      fault === 'old-nonce'
        ? Buffer.alloc(16, 9)
        : fault === 'wait-nonce'
          ? transaction.waitNonce
          : transaction.ourNonce;
    const transactionId = fault === 'other-id' ? Buffer.alloc(16) : transaction.transactionId;
    const pvno = fault === 'pvno' ? 1 : 2;
    const generalInfo = move === 'issue-implicitly' ? [{ type: '1.3.6.1.5.5.7.4.13' }] : undefined;
    const header = { pvno, sender: name, recipient: name, transactionId, senderNonce, recipNonce };
    return {
      header: { ...header, generalInfo },
      body: bodyOf(move),
      protectedPart: Buffer.alloc(0),
    };
  };
}

function start() {
  const random = counter();
  const taken: Reception = { isProtected: true, random, judge: () => undefined };
  return { random, taken, transaction: openTransaction('ir', name, random) };
}

function step(transaction: Transaction, message: ReceivedMessage, reception: Reception) {
  assert.notEqual(transaction.phase, 'confirmed');
  return transaction.phase === 'confirmed' ? transaction : receive(transaction, message, reception);
}

describe('a transaction', () => {
  it('ends well with every honest CA', () => {
    const ca = scriptedCa();
    const { taken, transaction } = start();
    const wait = fc.array(fc.constantFrom('poll', 'error-waiting', 'wait'), { maxLength: 4 });
    const late = fc.array(fc.constantFrom('poll', 'error-waiting'), { maxLength: 4 });
    const close = fc.constantFrom('confirm', 'already-confirmed');
    fc.assert(
      fc.property(wait, late, close, (before, after, last) => {
        const waits = before.length > 0 ? (['wait', ...before] as const) : [];
        const confirming = after.length > 0 ? (['error-waiting', ...after] as const) : [];
        let state: Transaction = transaction;
        for (const move of [...waits, 'issue', ...confirming, last] as const) {
          if (state.phase === 'confirmed') assert.fail('too early');
          if (move === 'already-confirmed' && state.phase === 'requesting') continue;
          state = receive(state, ca(state, { move, fault: 'none' }), taken);
        }
        assert.equal(state.phase, 'confirmed');
      }),
    );
  });

  it('takes a certificate only of an answer to its last message that the CA protected', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 12 }), (script) => {
        const ca = scriptedCa();
        const { taken, random, transaction } = start();
        const nonces = [transaction.ourNonce.toString('hex')];
        let state: Transaction = transaction;
        for (const one of script) {
          if (state.phase === 'confirmed') return;
          const open: OpenTransaction = state;
          const reception = { ...taken, random, isProtected: one.fault !== 'unprotected' };
          const message = ca(open, one);
          let next: Transaction;
          try {
            next = receive(open, message, reception);
          } catch (error) {
            assert.ok(error instanceof EnrolmentFault, String(error));
            continue;
          }
          const isTolerated =
            one.fault === 'none' ||
            (one.fault === 'replay' && open.seenNonces.length === 0) ||
            (one.fault === 'wait-nonce' && one.move !== 'poll' && open.waitNonce !== undefined);
          const isClosedUnprotected = one.fault === 'unprotected' && one.move === 'confirm';
          assert.ok(isTolerated || isClosedUnprotected, `${open.phase} ${JSON.stringify(one)}`);
          if (next.phase === 'confirmed' && open.phase !== 'confirming')
            assert.ok(one.move === 'issue-implicitly' || open.phase === 'polling');
          nonces.push(next.ourNonce.toString('hex'));
          assert.equal(new Set(nonces).size, nonces.length);
          state = next;
        }
      }),
    );
  });

  it('tells the CA why it refuses a certificate, and fails with that when the CA took notice', () => {
    const ca = scriptedCa();
    const { taken, transaction } = start();
    const reception = { ...taken, judge: () => 'it is for another key' };
    const implicit = ca(transaction, { move: 'issue-implicitly', fault: 'none' });
    const confirming = step(transaction, implicit, reception);
    assert.equal(confirming.phase, 'confirming');
    if (confirming.phase !== 'confirming') return;
    const body = followUp(confirming);
    assert.equal(body.kind, 'certConf');
    if (body.kind !== 'certConf') return;
    assert.deepEqual(body.value[0]?.statusInfo, {
      status: 2,
      statusString: ['it is for another key'],
    });
    const close = ca(confirming, { move: 'confirm', fault: 'none' });
    assert.throws(
      () => receive(confirming, close, reception),
      (error) => error instanceof EnrolmentFault && error.layer === 'certificate',
    );
  });

  it('confirms with the hash that openssl computes', () => {
    const [first, second] = ['02-rsp.der', '03-req.der'].map((file) =>
      decodeMessage(capture(`3.0.22/ir-pbm/${file}`)),
    );
    const { taken, transaction } = start();
    if (first?.body.kind !== 'ip' || second?.body.kind !== 'certConf') return assert.fail();
    const { transactionId = name, recipNonce = name } = first.header;
    const asked = { ...transaction, transactionId, ourNonce: recipNonce };
    const confirming = receive(asked, first, taken);
    if (confirming.phase !== 'confirming') return assert.fail();
    const body = followUp(confirming);
    if (body.kind !== 'certConf') return assert.fail();
    assert.deepEqual(body.value[0]?.certHash, second.body.value[0]?.certHash);
  });

  it('waits as long as the CA says, but at least a second', () => {
    const ca = scriptedCa();
    const { taken, transaction } = start();
    const waiting = step(transaction, ca(transaction, { move: 'wait', fault: 'none' }), taken);
    if (waiting.phase !== 'polling') return assert.fail();
    assert.equal(waiting.checkAfter, 1);
    const again = receive(waiting, ca(waiting, { move: 'poll', fault: 'none' }), taken);
    assert.equal(again.phase === 'polling' && again.checkAfter, 5);
  });
});
