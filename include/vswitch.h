/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VSWITCH_H
#define VSWITCH_H 1

/* libvswitch: an embeddable match-action switch
 * =============================================
 *
 * A switch (struct vsw) has ports.  A port (struct vsw_port) has a program:
 * layers, each with groups of rules.  The first packet of a flow walks the
 * programs of the port it comes from and of the ports it goes to; what the
 * layers decide is composed into one rewrite, and later packets of the flow
 * take the rewrite from a cache.  Where customer addresses live is kept apart
 * from programs, in mappings, because it changes a thousand times as often.
 *
 *
 * Order of life
 * =============
 *
 *     create                    needs              end with
 *     ------------------------  -----------------  ----------------------
 *     vsw_new()                 options            vsw_free(), last
 *     vsw_port_add()            switch             vsw_port_remove()
 *     vsw_domain_new()          switch             vsw_domain_unref()
 *     vsw_mapping_new()         domain             vsw_mapping_unref()
 *     vsw_set_new()             switch             vsw_set_unref()
 *     vsw_group_new()           switch             vsw_group_unref()
 *       ...rules                group (a draft)    -
 *       vsw_group_seal()        group              -
 *     vsw_program_new()         switch             vsw_program_unref()
 *       ...layers and groups    program (a draft)  -
 *       vsw_program_seal()      program            -
 *     vsw_port_set_program()    port, program      another set_program
 *     vsw_worker_new()          switch             vsw_worker_free()
 *     vsw_worker_receive()      worker, port       -
 *
 * Every *_free(), *_remove() and *_unref() accepts NULL and does nothing.
 * vsw_free() wants workers and ports gone, and references dropped.
 *
 *
 * Ownership
 * =========
 *
 *     - Whoever holds a packet owns it.  vsw_worker_receive() and a port's
 *       'transmit' take the packets they are given, always, also on failure.
 *     - Programs, groups, sets, mappings and domains are counted.  What
 *       refers to one holds a reference of its own; the creator drops its
 *       own with *_unref().
 *     - Strings and structs passed in are copied.
 *
 *
 * Threads
 * =======
 *
 * Every function stands under one of these headings:
 *
 *     [control]  One thread at a time, chosen by the embedding program.
 *                May run while workers run.
 *     [worker]   Only the thread that uses this worker.
 *     [any]      Any thread, at any time, without locks.
 *
 * The library starts no thread, takes no signal, opens no file that it was
 * not asked to, reads no clock and keeps no writable global.  What the control
 * thread replaces is freed once each worker has been outside of
 * vsw_worker_receive() for a moment; a worker that sleeps is outside.
 *
 *
 * Errors
 * ======
 *
 * An int result is 0 or a negative errno value, and must be looked at.  An
 * output argument is named 'ret_...', comes last, and is written only on
 * success.  Adding to a draft cannot fail: a draft remembers its first problem
 * and sealing reports it.  Packets are never an error to the caller: a packet
 * that goes nowhere is counted under a named drop (<vswitch/inspect.h>).
 * Memory may run out at any point: control functions say -ENOMEM and have
 * changed nothing, packets are dropped by that name.
 *
 *
 * Compatibility
 * =============
 *
 * Within one soname: functions are only added; structs that carry 'size' only
 * grow at the end; enum values are never renumbered.  See libvswitch.map.
 */

#include <vswitch/version.h>
#include <vswitch/switch.h>
#include <vswitch/policy.h>
#include <vswitch/packet.h>
#include <vswitch/inspect.h>

#endif /* vswitch.h */
