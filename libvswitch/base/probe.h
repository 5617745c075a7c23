/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_PROBE_H
#define BASE_PROBE_H 1

/* USDT probes of provider "vswitch", for perf and bpftrace: a nop each, and
 * nothing at all where <sys/sdt.h> is missing.
 *
 *     receive(port name, packets)      worker.c
 *     flow_hit(worker, flow)           flow.c
 *     flow_miss(worker, headers)       flow.c
 *     flow_stale(worker, flow)         flow.c
 *     rule(group name, rule name)      classify.c
 *     drop(port name, drop, packet)    transmit.c
 *     transmit(port name, packets)     transmit.c */

#include "config.h"

#ifdef HAVE_SYS_SDT_H
#include <sys/sdt.h>
#define PROBE2(NAME, A, B) DTRACE_PROBE2(vswitch, NAME, A, B)
#define PROBE3(NAME, A, B, C) DTRACE_PROBE3(vswitch, NAME, A, B, C)
#else
#define PROBE2(NAME, A, B) ((void) (A), (void) (B))
#define PROBE3(NAME, A, B, C) ((void) (A), (void) (B), (void) (C))
#endif

#endif /* base/probe.h */
