from payload_replay.client import *  # noqa: F403
