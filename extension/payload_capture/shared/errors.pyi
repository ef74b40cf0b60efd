from payload_replay.errors import *  # noqa: F403
