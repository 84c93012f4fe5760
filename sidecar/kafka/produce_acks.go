package kafka

// ProduceAcks reads of a Produce request older than ProduceOldest no more than
// whether a response follows. Those carry message sets of magic 0 or 1.
type ProduceAcks struct {
	Acks int16
	read bool
}

// Begin prepares for a request of a version from 0 to ProduceOldest-1.
func (p *ProduceAcks) Begin() *ProduceAcks {
	*p = ProduceAcks{}
	return p
}

func (p *ProduceAcks) ended() bool { return p.read }
func (p *ProduceAcks) giveUp() int { return 0 }

func (p *ProduceAcks) run(c *cursor) {
	acks := c.int16()
	if !c.unit() {
		return
	}
	p.Acks, p.read = acks, true
	c.pass(c.limit - c.off)
}
