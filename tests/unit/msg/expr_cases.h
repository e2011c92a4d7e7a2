/* SPDX-License-Identifier: Apache-2.0 */
/* What several rows of expr_cases.def share. */
#ifndef TEST_EXPR_CASES_H
#define TEST_EXPR_CASES_H

#define BODY_1 \
	"{\"name\":\"Ann\",\"age\":30,\"f\":2.5,\"big\":12345678901,\"" \
	"tags\":[\"a\",\"b\",\"c\"],\"idx\":1,\"items\":[{\"n\":\"x\"" \
	",\"p\":5},{\"n\":\"y\",\"p\":15.5},{\"n\":\"z\",\"p\":25}],\"" \
	"nul\":null,\"b\":true,\"s\":\" hi \",\"num\":\"42\",\"o\":{\"" \
	"k\":\"v\"},\"price\":12345678.9}"

#define BODY_2 \
	"{\"a\":1,\"b\":{\"c\":\"x\",\"n\":null,\"f\":1.50,\"e\":1e3," \
	"\"t\":true},\"arr\":[1,2,3],\"objs\":[{\"id\":1,\"name\":\"A" \
	"\",\"p\":8.95},{\"id\":2,\"name\":\"B\",\"p\":12.99},{\"id\"" \
	":3,\"p\":22}],\"emp\":{},\"earr\":[],\"s p\":1,\"k.d\":2,\"s" \
	"tr\":\"he said \\\"hi\\\"\",\"w\":{\"members\":[\"m\"],\"z\"" \
	":1},\"price\":12345678.9,\"nums\":[1.50,1e3]}"

#define STEPS_1 \
	{ STEP_VAR, "v1", NULL, "STRING", "abc" }, \
	{ STEP_VAR, "n1", NULL, "INTEGER", "10" }, \
	{ STEP_VAR, "d1", NULL, "DOUBLE", "2.5" }, \
	{ STEP_VAR, "j1", NULL, "JSON", "{\"a\":{\"b\":[1,2,3]},\"t\":\"x\"}" }, \
	{ STEP_VAR, "limit", NULL, "INTEGER", "10" }, \
	{ STEP_SET, "p1", NULL, NULL, "hello" }, \
	{ STEP_SET, "num", NULL, NULL, "12" }

#define STEPS_2 \
	{ STEP_SET, "X-A", "transport", NULL, "h1" }, \
	{ STEP_REMOVE, "X-A", "transport", NULL, NULL }, \
	{ STEP_SET, "r", NULL, NULL, "none" }

#define STEPS_3 \
	{ STEP_VAR, "v", NULL, "STRING", "x" }, \
	{ STEP_VAR_REMOVE, "v", NULL, NULL, NULL }

#endif
