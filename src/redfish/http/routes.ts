import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Operation, Resource } from '../resource.ts';
import { type Found, hasPlainSegments } from './tree.ts';

/** Answers a request of a resource; without an operation where the resource has none of its method. */
type AnswerAt = (
  req: Request,
  res: Response,
  found: Found,
  operation: Operation | undefined,
) => Promise<void>;

const verbs = [
  ['GET', 'get'],
  ['POST', 'post'],
  ['PATCH', 'patch'],
  ['PUT', 'put'],
  ['DELETE', 'delete'],
] as const;

/** The resources as routes of Express, which takes HEAD for GET. A path of none of them goes on to the next handler. */
export function makeRoutes(resources: readonly Resource[], answerAt: AnswerAt): RequestHandler {
  const router = express.Router({ caseSensitive: true });
  for (const resource of resources) {
    const route = router.route(resource.path);
    const handler =
      (operation?: Operation): RequestHandler<Record<string, string>> =>
      (req, res) =>
        answerAt(req, res, { resource, parameters: req.params }, operation);
    for (const [method, verb] of verbs) {
      const operation = resource.operations[method];
      if (operation) route[verb](handler(operation));
    }
    route.all(handler());
  }
  return (req, res, next) => (hasPlainSegments(req.path) ? router(req, res, next) : next());
}
