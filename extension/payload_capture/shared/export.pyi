from payload_replay.export import *  # noqa: F403
