package types

// Count is what use of a unit is counted in, and how many of that make the unit: prices
// are named by the minute, and a clip is not a whole number of them.
func (u Unit) Count() (name string, of uint64) {
	switch u {
	case UNIT_GIB_MONTH:
		return "mib_hour", 1_024 * 720 // a month of 30 days
	case UNIT_VIDEO_MINUTE:
		return "video_ms", 60_000
	}
	return u.Word(), 1
}
