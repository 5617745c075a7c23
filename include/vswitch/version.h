/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VSWITCH_VERSION_H
#define VSWITCH_VERSION_H 1

/* Version, and how the other headers declare things. */

#define VSW_VERSION_MAJOR 0
#define VSW_VERSION_MINOR 1
#define VSW_VERSION_PATCH 0

#if defined(__GNUC__)
#define VSW_API __attribute__((visibility("default")))
#define VSW_MUST_CHECK __attribute__((warn_unused_result))
#else
#define VSW_API
#define VSW_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* [any] The version that runs, as "0.1.0". */
VSW_API const char *vsw_version(void);

#ifdef __cplusplus
}
#endif

#endif /* vswitch/version.h */
