from payload_replay.bundle import *  # noqa: F403
