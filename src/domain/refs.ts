/** Which custom resource: its name may come back, its uid never does. */
export interface ObjectRef {
  namespace: string;
  name: string;
  uid: string;
}

/** A pod as an action knows it: the uid decides, the name is where to find it. */
export interface PodRef {
  uid: string;
  name: string;
}

/** Where the workflow of this status is found. */
export interface WorkflowRef {
  id: string;
  runId: string;
  /** Its page in the Temporal Web UI, when its address is known. */
  url?: string;
}

/** A status to write, and whose it is. */
export interface StatusReport<Status> {
  /** As in the custom resource. */
  kind: string;
  app: ObjectRef;
  status: Status;
}
