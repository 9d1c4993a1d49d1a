import { dateTime } from '../date-time.ts';
import { renderMessages } from '../messages/base-registry.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { naming, type Reply } from '../resource.ts';
import type { Task } from './tasks.ts';

export const taskService = '/redfish/v1/TaskService';
export const taskCollection = `${taskService}/Tasks`;

/** Where a client asks for the answer of a task (DSP0266, "Task monitor"). */
function monitorUri({ id }: Pick<Task, 'id'>): string {
  return `${taskService}/TaskMonitors/${id}`;
}

/** Seconds after which it is worth to ask again. */
const retrySeconds = '5';

/** The Task resource (DSP2046, Task). */
export function taskView(task: Task) {
  const { id, name, targetUri, started, ended, outcome } = task;
  const failed = outcome instanceof RedfishError;
  const messages = failed ? renderMessages(outcome.messages) : [];
  return {
    ...naming('Task', `${taskCollection}/${id}`),
    Name: name,
    Description: 'A request whose answer took or takes long',
    TaskState: outcome === undefined ? 'Running' : failed ? 'Exception' : 'Completed',
    TaskStatus: failed ? 'Critical' : 'OK',
    StartTime: dateTime(started),
    ...(ended !== undefined && { EndTime: dateTime(ended), PercentComplete: 100 }),
    TaskMonitor: monitorUri(task),
    HidePayload: false,
    Payload: { HttpOperation: 'POST', HttpHeaders: [], TargetUri: targetUri },
    Messages: messages,
  };
}

/** 202 with the way to the answer. */
export function acceptedReply(task: Task): Reply {
  const headers = { Location: monitorUri(task), 'Retry-After': retrySeconds };
  return { status: 202, headers, body: taskView(task) };
}
