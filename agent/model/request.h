/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H 1

/* Mappings that are missed, and asked for.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/model/model.h"

/* Asks the controllers, in hnv.Mapping_Request, for a mapping of 'addr' or, if
 * that is NULL, of 'mac', on behalf of 'port'; or finds that they are asked
 * already.  NULL: its routing domain does not ask, or the port asks more than
 * it may.  Times are of a clock that goes forward. */
struct model_request *request_get(struct model *, const struct model_subnet *,
				  const struct vsw_addr *addr,
				  const uint8_t mac[6], struct model_port *port,
				  int64_t now_ms);
/* For as long as packets wait for it; given back by request_end(). */
void request_ref(struct model_request *);
/* Need it not be asked any more?  'ret_answered': because it is known. */
bool request_is_over(const struct model *, const struct model_request *,
		     bool *ret_answered);
enum request_end { REQUEST_ANSWERED, REQUEST_TIMED_OUT, REQUEST_GIVEN_UP };
/* Gives it back; it goes with the last, who says how. */
void request_end(struct model *, struct model_request *, enum request_end);
/* Before the port is freed. */
void request_forget_port(struct model *, const struct model_port *);

#endif /* model/request.h */
