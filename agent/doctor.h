/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_DOCTOR_H
#define AGENT_DOCTOR_H 1

/* "doctor": what an operator would look at one by one if something did not
 * work, in one answer: a line for each thing, which is wrong, worth a look, or
 * well, in this order, and why.  It changes nothing; what it sends are some
 * packets to other hosts, to see whether they answer (provider/probe.h).
 * [control] */

#include "agent/base/list.h"
#include "agent/host/host.h"
#include "agent/model/model.h"
#include "agent/net/control.h"
#include "agent/net/remotes.h"
#include "agent/ovsdb/store/database.h"
#include "agent/policy/audit.h"

struct doctor {
	const struct model *model;
	const struct audit *audit;
	const struct host *host;
	const struct remotes *remotes;
	struct database *const *databases;
	size_t n_databases;
	/* Files of TLS; NULL: none. */
	const char *certificate, *ca_certificate;
	struct list visits;		/* Ours. */
};

/* 'doctor' must outlive the control. */
void doctor_add_commands(struct control *, struct doctor *);
/* Whoever still waits for an answer is refused one. */
void doctor_stop(struct doctor *);

#endif /* agent/doctor.h */
