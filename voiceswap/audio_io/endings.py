"""Endings of files that hold sound: what folders are searched for, and what is written."""

BY_LIBSNDFILE = (
    "wav wave bwf w64 rf64 flac mp3 mp2 mp1 mpga ogg oga opus aiff aif aifc au snd caf sph nist "
    "voc sf ircam avr svx iff 8svx paf pvf sds wve xi"
)
BY_FFMPEG = (  # phone memos, messengers, the sound of videos
    "m4a m4b m4r m4p aac adts mp4 m4v mov qt 3gp 3gpp 3g2 amr awb webm weba mka mkv wma wmv asf "
    "avi ac3 eac3 dts thd spx ogv ogm ogx flv f4v f4a mpg mpeg vob ts mts m2ts wv tta tak ape mpc "
    "ra rm rmvb gsm qcp"
)
SOUND_ENDINGS = tuple(f"{BY_LIBSNDFILE} {BY_FFMPEG}".split())
# What FFmpeg writes: its names of the format and of the sound's codec.
FFMPEG_FORMATS = {
    "m4a": ("ipod", "aac"),
    "m4b": ("ipod", "aac"),
    "mp4": ("mp4", "aac"),
    "m4v": ("mp4", "aac"),
    "mov": ("mov", "aac"),
    "mkv": ("matroska", "aac"),
    "webm": ("webm", "libopus"),
}
TEXT_ENDINGS = ("txt", "md", "rtf", "doc", "docx", "odt", "pdf", "epub", "htm", "html")
VIDEO_ENDINGS = ("mp4", "m4v", "mov", "mkv", "webm")
OTHER_NAMES = {"opus": "OGG", "oga": "OGG", "aif": "AIFF"}  # of formats, than the ending


def libsndfile_format(ending: str) -> str:
    """libsndfile's name of the format of an ending, which is in small letters."""
    return OTHER_NAMES.get(ending, ending.upper())
