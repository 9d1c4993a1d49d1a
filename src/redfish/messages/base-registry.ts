/** A message of DMTF's Base registry: its text with `%1`, `%2`, … for the arguments. */
interface RegistryMessage {
  readonly message: string;
  readonly severity: 'OK' | 'Warning' | 'Critical';
  readonly resolution: string;
}

export const baseRegistry = 'Base.1.19.0';

const resubmit = 'and resubmit the request if the operation failed.';

/** The messages of Base 1.19.0 that the service uses; texts are the registry's own. */
export const baseMessages = {
  ActionParameterMissing: {
    message: 'The action %1 requires the parameter %2 to be present in the request body.',
    severity: 'Critical',
    resolution:
      'Supply the action with the required parameter in the request body when the request is resubmitted.',
  },
  ActionParameterNotSupported: {
    message: 'The parameter %1 for the action %2 is not supported on the target resource.',
    severity: 'Warning',
    resolution: `Remove the parameter supplied ${resubmit}`,
  },
  ActionParameterUnknown: {
    message: 'The action %1 was submitted with the invalid parameter %2.',
    severity: 'Warning',
    resolution: `Correct the invalid action parameter ${resubmit}`,
  },
  ActionParameterValueError: {
    message: 'The value for the parameter %1 in the action %2 is invalid.',
    severity: 'Warning',
    resolution: `Correct the value for the parameter in the request body ${resubmit}`,
  },
  ActionParameterValueTypeError: {
    message:
      "The value '%1' for the parameter %2 in the action %3 is not a type that the parameter can accept.",
    severity: 'Warning',
    resolution: `Correct the value for the parameter in the request body ${resubmit}`,
  },
  CreateLimitReachedForResource: {
    message:
      'The create operation failed because the resource has reached the limit of possible resources.',
    severity: 'Critical',
    resolution:
      'Either delete resources and resubmit the request if the operation failed or do not resubmit the request.',
  },
  EmptyJSON: {
    message:
      'The request body submitted contained an empty JSON object and the service is unable to process it.',
    severity: 'Warning',
    resolution: `Add properties in the JSON object ${resubmit}`,
  },
  EventBufferExceeded: {
    message: 'Undelivered events may have been lost due to exceeding the event buffer.',
    severity: 'Warning',
    resolution: 'None.',
  },
  EventSubscriptionLimitExceeded: {
    message:
      'The event subscription failed due to the number of simultaneous subscriptions exceeding the limit of the implementation.',
    severity: 'Critical',
    resolution:
      'Reduce the number of other subscriptions before trying to establish the event subscription or increase the limit of simultaneous subscriptions, if supported.',
  },
  GeneralError: {
    message:
      'A general error has occurred.  See Resolution for information on how to resolve the error, or @Message.ExtendedInfo if Resolution is not provided.',
    severity: 'Critical',
    resolution: 'None.',
  },
  HeaderInvalid: {
    message: "Header '%1' is invalid.",
    severity: 'Critical',
    resolution: 'Resubmit the request with a valid request header.',
  },
  HeaderMissing: {
    message: "Required header '%1' is missing in the request.",
    severity: 'Critical',
    resolution: 'Resubmit the request with the required request header.',
  },
  InsufficientPrivilege: {
    message:
      'There are insufficient privileges for the account or credentials associated with the current session to perform the requested operation.',
    severity: 'Critical',
    resolution: `Either abandon the operation or change the associated access rights ${resubmit}`,
  },
  InternalError: {
    message:
      'The request failed due to an internal service error.  The service is still operational.',
    severity: 'Critical',
    resolution: 'Resubmit the request.  If the problem persists, consider resetting the service.',
  },
  InvalidURI: {
    message: 'The URI %1 was not found.',
    severity: 'Critical',
    resolution: 'Provide a valid URI and resubmit the request.',
  },
  MalformedJSON: {
    message:
      'The request body submitted was malformed JSON and could not be parsed by the receiving service.',
    severity: 'Critical',
    resolution: 'Ensure that the request body is valid JSON and resubmit the request.',
  },
  NoOperation: {
    message:
      'The request body submitted contain no data to act upon and no changes to the resource took place.',
    severity: 'Warning',
    resolution: 'Add properties in the JSON object and resubmit the request.',
  },
  NoValidSession: {
    message: 'There is no valid session established with the implementation.',
    severity: 'Critical',
    resolution: 'Establish a session before attempting any operations.',
  },
  OperationNotAllowed: {
    message: 'The HTTP method is not allowed on this resource.',
    severity: 'Critical',
    resolution: 'None.',
  },
  OperationTimeout: {
    message:
      'A timeout internal to the service occurred as part of the request.  Partial results may have been returned.',
    severity: 'Warning',
    resolution:
      'Resubmit the request.  If the problem persists, consider resetting the service or provider.',
  },
  PasswordChangeRequired: {
    message:
      "The password provided for this account must be changed before access is granted.  PATCH the Password property for this account located at the target URI '%1' to complete this process.",
    severity: 'Critical',
    resolution:
      'Change the password for this account using a PATCH to the Password property at the URI provided.',
  },
  PayloadTooLarge: {
    message: 'The supplied payload exceeds the maximum size supported by the service.',
    severity: 'Critical',
    resolution: 'Check that the supplied payload is correct and supported by this service.',
  },
  PreconditionFailed: {
    message: 'The ETag supplied did not match the ETag required to change this resource.',
    severity: 'Critical',
    resolution: 'Try the operation again using the appropriate ETag.',
  },
  PropertyMissing: {
    message: 'The property %1 is a required property and must be included in the request.',
    severity: 'Warning',
    resolution: `Ensure that the property is in the request body and has a valid value ${resubmit}`,
  },
  PropertyNotWritable: {
    message: 'The property %1 is a read-only property and cannot be assigned a value.',
    severity: 'Warning',
    resolution: `Remove the property from the request body ${resubmit}`,
  },
  PropertyUnknown: {
    message: 'The property %1 is not in the list of valid properties for the resource.',
    severity: 'Warning',
    resolution: `Remove the unknown property from the request body ${resubmit}`,
  },
  PropertyValueConflict: {
    message:
      "The property '%1' could not be written because its value would conflict with the value of the '%2' property.",
    severity: 'Warning',
    resolution: 'None.',
  },
  PropertyValueError: {
    message: 'The value provided for the property %1 is not valid.',
    severity: 'Warning',
    resolution: `Correct the value for the property in the request body ${resubmit}`,
  },
  PropertyValueExternalConflict: {
    message:
      "The property '%1' with the requested value of '%2' could not be written because the value is not available due to a configuration conflict.",
    severity: 'Warning',
    resolution: 'None.',
  },
  PropertyValueFormatError: {
    message: "The value '%1' for the property %2 is not a format that the property can accept.",
    severity: 'Warning',
    resolution:
      'Correct the value for the property in the request body and resubmit the request if the operation failed.',
  },
  PropertyValueNotInList: {
    message: "The value '%1' for the property %2 is not in the list of acceptable values.",
    severity: 'Warning',
    resolution:
      'Choose a value from the enumeration list that the implementation can support and resubmit the request if the operation failed.',
  },
  PropertyValueOutOfRange: {
    message:
      "The value '%1' for the property %2 is not in the supported range of acceptable values.",
    severity: 'Warning',
    resolution:
      'Correct the value for the property in the request body and resubmit the request if the operation failed.',
  },
  PropertyValueTypeError: {
    message: "The value '%1' for the property %2 is not a type that the property can accept.",
    severity: 'Warning',
    resolution: `Correct the value for the property in the request body ${resubmit}`,
  },
  QueryCombinationInvalid: {
    message: 'Two or more query parameters in the request cannot be used together.',
    severity: 'Warning',
    resolution: `Remove one or more of the query parameters ${resubmit}`,
  },
  QueryNotSupported: {
    message: 'Querying is not supported by the implementation.',
    severity: 'Warning',
    resolution: `Remove the query parameters ${resubmit}`,
  },
  QueryNotSupportedOnOperation: {
    message: 'Querying is not supported with the requested operation.',
    severity: 'Warning',
    resolution: `Remove the query parameters ${resubmit}`,
  },
  QueryNotSupportedOnResource: {
    message: 'Querying is not supported on the requested resource.',
    severity: 'Warning',
    resolution: `Remove the query parameters ${resubmit}`,
  },
  QueryParameterOutOfRange: {
    message: "The value '%1' for the query parameter %2 is out of range %3.",
    severity: 'Warning',
    resolution:
      'Reduce the value for the query parameter to a value that is within range, such as a start or count value that is within bounds of the number of resources in a collection or a page number that is within the range of valid pages.',
  },
  QueryParameterValueError: {
    message: 'The value for the parameter %1 is invalid.',
    severity: 'Warning',
    resolution: `Correct the value for the query parameter in the request ${resubmit}`,
  },
  QueryParameterValueFormatError: {
    message: "The value '%1' for the parameter %2 is not a format that the parameter can accept.",
    severity: 'Warning',
    resolution: `Correct the value for the query parameter in the request ${resubmit}`,
  },
  QueryParameterValueTypeError: {
    message:
      "The value '%1' for the query parameter %2 is not a type that the parameter can accept.",
    severity: 'Warning',
    resolution: `Correct the value for the query parameter in the request ${resubmit}`,
  },
  ResourceAlreadyExists: {
    message:
      "The requested resource of type %1 with the property %2 with the value '%3' already exists.",
    severity: 'Critical',
    resolution: 'Do not repeat the create operation as the resource was already created.',
  },
  ResourceAtUriUnauthorized: {
    message:
      "While accessing the resource at '%1', the service received an authorization error '%2'.",
    severity: 'Critical',
    resolution:
      'Ensure that the appropriate access is provided for the service in order for it to access the URI.',
  },
  ResourceCannotBeDeleted: {
    message: 'The delete request failed because the resource requested cannot be deleted.',
    severity: 'Critical',
    resolution: 'Do not attempt to delete a non-deletable resource.',
  },
  ResourceInUse: {
    message:
      'The change to the requested resource failed because the resource is in use or in transition.',
    severity: 'Warning',
    resolution: 'Remove the condition and resubmit the request if the operation failed.',
  },
  ResourceMissingAtURI: {
    message: "The resource at the URI '%1' was not found.",
    severity: 'Critical',
    resolution: 'Place a valid resource at the URI or correct the URI and resubmit the request.',
  },
  ResourceNotFound: {
    message: "The requested resource of type %1 named '%2' was not found.",
    severity: 'Critical',
    resolution: 'Provide a valid resource identifier and resubmit the request.',
  },
  ServiceDisabled: {
    message:
      'The operation failed because the service at %1 is disabled and cannot accept requests.',
    severity: 'Warning',
    resolution: `Enable the service ${resubmit}`,
  },
  ServiceTemporarilyUnavailable: {
    message: 'The service is temporarily unavailable.  Retry in %1 seconds.',
    severity: 'Critical',
    resolution: 'Wait for the indicated retry duration and retry the operation.',
  },
  Success: {
    message: 'The request completed successfully.',
    severity: 'OK',
    resolution: 'None.',
  },
  UnrecognizedRequestBody: {
    message: 'The service detected a malformed request body that it was unable to interpret.',
    severity: 'Warning',
    resolution: 'Correct the request body and resubmit the request if it failed.',
  },
} as const satisfies Record<string, RegistryMessage>;

export type BaseMessageId = keyof typeof baseMessages;

/** A message on its way to a client. */
export interface Message {
  readonly id: BaseMessageId;
  readonly args: readonly string[];
  /** What exactly is wrong here, beyond the text of the registry; goes into Resolution. */
  readonly detail?: string;
  /** JSON pointers of the members that it is about. */
  readonly related?: readonly string[];
}

/** A Message object (DSP0266, "Message object"). */
export function renderMessage({ id, args, detail, related }: Message) {
  const { severity, resolution } = baseMessages[id];
  return {
    '@odata.type': '#Message.v1_1_1.Message',
    MessageId: `${baseRegistry}.${id}`,
    Message: messageText(id, args),
    MessageArgs: args,
    MessageSeverity: severity,
    Resolution: detail === undefined ? resolution : `${detail}. ${resolution}`,
    ...(related && { RelatedProperties: related }),
  };
}

/** The error response (DSP0266, "Error responses"): one message, or several under GeneralError. */
export function renderErrors(messages: readonly Message[]) {
  const [first, ...others] = messages;
  const { id, args, detail }: Message =
    first && others.length === 0 ? first : { id: 'GeneralError', args: [] };
  const text = messageText(id, args);
  return {
    error: {
      code: `${baseRegistry}.${id}`,
      message: detail === undefined ? text : `${text}  ${detail}.`,
      '@Message.ExtendedInfo': messages.map(renderMessage),
    },
  };
}

function messageText(id: BaseMessageId, args: readonly string[]): string {
  return fillMessage(baseMessages[id].message, args);
}

/** The text of a message with its arguments in their places. */
export function fillMessage(text: string, args: readonly string[]): string {
  return text.replace(/%(\d)/g, (_, at) => args[Number(at) - 1] ?? '');
}
