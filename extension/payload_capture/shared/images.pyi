from payload_replay.images import *  # noqa: F403
