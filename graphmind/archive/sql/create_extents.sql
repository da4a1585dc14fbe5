-- One row a trace: when its spans start, which append it last gained from, whether its facts are of all its spans.
CREATE TABLE extents (
    trace_id VARCHAR NOT NULL,
    first_ns BIGINT,
    last_ns BIGINT,
    gained BIGINT NOT NULL,
    settled BOOLEAN NOT NULL
);
