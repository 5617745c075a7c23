/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_WORKER_H
#define DATAPATH_WORKER_H 1

/* A worker: one thread's share of the switch.  Nothing in it is locked. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/packet.h>
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/decide.h"
#include "libvswitch/datapath/foresee.h"
#include "libvswitch/datapath/packet.h"

struct flow_table;
struct fragments;
struct packet_pool;
struct vsw;

struct vsw_worker {
	struct vsw *vsw;
	unsigned index;			/* Its mark in vsw->reclaim, and its
					 * place in each port's counts. */
	struct flow_table *flows;
	struct fragments *fragments;	/* NULL: none has come yet. */
	struct packet_pool *pool;
	struct decision decision;	/* Of the flow that is being decided. */
	struct foreseen foreseen[BATCH_MAX];	/* Of those that missed. */
	struct event_queue events;	/* For the control thread. */

	/* A port's transmit may answer with vsw_worker_receive(): such packets
	 * wait here, by 'next', until the batch under way is done. */
	bool is_carrying;
	struct vsw_packet *waiting, **last_waiting;
};

#endif /* datapath/worker.h */
