from payload_replay.portable import *  # noqa: F403
