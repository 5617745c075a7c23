/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_DOCTOR_POLICY_H
#define AGENT_DOCTOR_POLICY_H 1

/* Who gives the policy, how old it is, and whether most of it has gone.
 * [control] */

#include "agent/doctor.h"
#include "agent/findings.h"

void doctor_look_at_policy(const struct doctor *, struct findings *);

#endif /* agent/doctor_policy.h */
