from payload_replay.preflight import *  # noqa: F403
