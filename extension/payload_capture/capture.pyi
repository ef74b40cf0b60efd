from payload_replay.capture import *  # noqa: F403
