/**
 * Activity id of the one turn that a workflow has open: an activity that nobody beats for, ended from outside. As it is always
 * the same, and one at most is open, whoever knows the workflow can end the turn without having begun it.
 */
export const turnId = 'turn';
